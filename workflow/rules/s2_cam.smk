rule s2_cam:
    input:
        index=ancient(INDEX),
        weights=classifier_of_cams,
        whole=whole("results/{dataset}/s2_cam/{split}/{shard}.json"),
    output:
        manifest="results/{dataset}/s2_cam/{split}/{shard}.json",
    log:
        "logs/{dataset}/s2_cam/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/s2_cam/{split}/{shard}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(6_000),
        runtime=grows(4 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(INDEX),
        device=DEVICE,
        weights=optional("weights"),
        flags=variant_flags("s2_cam"),
        contract=contracts.version_of("s2_cam"),
    message:
        "Class activation maps of {wildcards.dataset} {wildcards.split}, shard {wildcards.shard} (Eqs. 2.1-2.3)"
    shell:
        "python -m wsss_stages.stages.s2_cam"
        " --index {input.index}"
        " {params.weights}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"


# of a variant with options of its own in the section cam, as cam: {source: clip}
use rule s2_cam as s2_cam_of_variant with:
    input:
        index=ancient(INDEX),
        weights=classifier_of_cams,
        whole=whole("results/{dataset}/{weak}/{variant}/s2_cam/{split}/{shard}.json"),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s2_cam/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s2_cam/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s2_cam/{split}/{shard}.tsv"
