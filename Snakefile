import os.path

from snakemake.utils import min_version

min_version("9.0")


configfile: os.path.join(workflow.basedir, "config.yaml")


# that of the working directory counts more
if os.path.exists("config.yaml"):

    configfile: "config.yaml"


# without a dataset the embedded demo runs; the command line counts more than its settings
if not (config.get("dataset") or config.get("dataset_root")):

    configfile: os.path.join(workflow.basedir, "workflow/runs/demo.yaml")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/table_inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/weak_index.smk"
include: "workflow/rules/s1_classifier.smk"
include: "workflow/rules/s2_cam.smk"
include: "workflow/rules/s3_masks.smk"
include: "workflow/rules/s3_seeds.smk"
include: "workflow/rules/rrm.smk"
include: "workflow/rules/dfr.smk"
include: "workflow/rules/s4_object_net.smk"
include: "workflow/rules/s4_affinity.smk"
include: "workflow/rules/s5_object_masks.smk"
include: "workflow/rules/s5_walk.smk"
include: "workflow/rules/s5_graph.smk"
include: "workflow/rules/s6_propagate.smk"
include: "workflow/rules/s6_agreement.smk"
include: "workflow/rules/s6_instance_masks.smk"
include: "workflow/rules/s7_segment.smk"
include: "workflow/rules/s7_instances.smk"
include: "workflow/rules/s8_predict.smk"
include: "workflow/rules/s8_detect.smk"
include: "workflow/rules/s9_evaluate.smk"
include: "workflow/rules/s9_instances.smk"
include: "workflow/rules/s9_review.smk"
include: "workflow/rules/scl.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/report.smk"


FOLDER = f"results/{config['dataset']}/{config['weak']}/{config['variant']}"


rule all:
    default_target: True
    input:
        expand(f"{FOLDER}/s9_evaluate/{{split}}/scores.json", split=["train", "val"]),
        f"{FOLDER}/s9_review/review_first.csv",
        f"{FOLDER}/report/rows.png",


# pseudo labels alone, without a segmenter that learns from them
rule masks:
    input:
        label_maps_of_run,
    localrule: True
