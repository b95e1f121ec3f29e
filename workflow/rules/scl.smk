wildcard_constraints:
    fold=r"\d+",
    few_shot_table="|".join(FEW_SHOT_TABLES),


rule scl_episodes:
    input:
        index=ancient(INDEX),
    output:
        episodes="results/{dataset}/scl/fold{fold}/episodes.json",
    log:
        "logs/{dataset}/scl/fold{fold}/scl_episodes.log",
    benchmark:
        "benchmarks/{dataset}/scl/fold{fold}/scl_episodes.tsv"
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(4_000),
        runtime=grows(1 * HOURS),
    params:
        sees=content_of(INDEX),
        flags=section_flags("scl_episodes"),
        version=contracts.EPISODES_VERSION,
    message:
        "Episodes of fold {wildcards.fold} of {wildcards.dataset} (Sec. 5.2)"
    shell:
        "python -m wsss_stages.stages.scl_episodes"
        " --index {input.index}"
        " --fold {wildcards.fold}"
        " --episodes {output.episodes}"
        " {params.flags}"
        " > {log} 2>&1"


rule scl_features:
    input:
        index=ancient(INDEX),
        backbone=backbone_of("scl"),
        whole=whole("results/{dataset}/scl_features/{split}/{shard}.json"),
    output:
        manifest="results/{dataset}/scl_features/{split}/{shard}.json",
    log:
        "logs/{dataset}/scl_features/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/scl_features/{split}/{shard}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(4_000),
        runtime=grows(4 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(INDEX),
        backbone=lambda wildcards: section("classifier")["backbone"],
        source=lambda wildcards: WEIGHTS,
        device=DEVICE,
        watched=watched("scl"),
        flags=section_flags("scl_features"),
        contract=contracts.version_of("scl_features"),
    message:
        "Maps of the frozen backbone, {wildcards.dataset} {wildcards.split}, shard {wildcards.shard} (Sec. 5.3.1)"
    shell:
        "python -m wsss_stages.stages.scl_features"
        " --index {input.index}"
        " --manifest {output.manifest}"
        " --split {wildcards.split}"
        " --backbone {params.backbone:q}"
        " --backbone-weights {params.source:q}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"


rule scl_train:
    input:
        index=ancient(INDEX),
        backbone=backbone_of("scl"),
        episodes="results/{dataset}/scl/fold{fold}/episodes.json",
        features=maps_of("train"),
    output:
        weights="results/{dataset}/scl/fold{fold}/{variant}/scl_train/weights.safetensors",
        curve="results/{dataset}/scl/fold{fold}/{variant}/scl_train/curve.json",
    log:
        "logs/{dataset}/scl/fold{fold}/{variant}/scl_train.log",
    benchmark:
        "benchmarks/{dataset}/scl/fold{fold}/{variant}/scl_train.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: training_threads("scl")
    resources:
        mem_mb=grows(8_000),
        runtime=grows(24 * HOURS),
        gpu=TRAINING_GPUS,
    params:
        sees=content_of(INDEX),
        launch=launch,
        backbone=lambda wildcards: section("classifier")["backbone"],
        source=lambda wildcards: WEIGHTS,
        device=DEVICE,
        watched=watched("scl"),
        flags=variant_flags("scl_train"),
        version=contracts.CHECKPOINT_VERSION,
    message:
        "Few-shot head {wildcards.variant} on fold {wildcards.fold} of {wildcards.dataset} (Eq. 5.14)"
    shell:
        "exec {params.launch} wsss_stages.stages.scl_train"
        " --index {input.index}"
        " --episodes {input.episodes}"
        " --features {input.features}"
        " --weights {output.weights}"
        " --backbone {params.backbone:q}"
        " --backbone-weights {params.source:q}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"


rule scl_evaluate:
    input:
        index=ancient(INDEX),
        episodes="results/{dataset}/scl/fold{fold}/episodes.json",
        features=maps_of("train", "val"),
        weights=few_shot_weights,
    output:
        scores="results/{dataset}/scl/fold{fold}/{variant}/scl_evaluate/scores.json",
    log:
        "logs/{dataset}/scl/fold{fold}/{variant}/scl_evaluate.log",
    benchmark:
        "benchmarks/{dataset}/scl/fold{fold}/{variant}/scl_evaluate.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(6_000),
        runtime=grows(8 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(INDEX),
        device=DEVICE,
        flags=variant_flags("scl_evaluate"),
    message:
        "Score {wildcards.variant} on new classes of fold {wildcards.fold} of {wildcards.dataset} (Sec. 5.4.2)"
    shell:
        "python -m wsss_stages.stages.scl_evaluate"
        " --index {input.index}"
        " --episodes {input.episodes}"
        " --features {input.features}"
        " --weights {input.weights}"
        " --scores {output.scores}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"


rule scl_report:
    input:
        index=ancient(INDEX),
        episodes="results/{dataset}/scl/fold{fold}/episodes.json",
        features=maps_of("train", "val"),
        weights=few_shot_weights,
    output:
        page=report(
            "results/{dataset}/scl/fold{fold}/{variant}/scl_report/episodes.png",
            caption="../report/episodes.rst",
            category="Episodes",
            labels={"fold": "{fold}", "variant": "{variant}"},
        ),
    log:
        "logs/{dataset}/scl/fold{fold}/{variant}/scl_report.log",
    benchmark:
        "benchmarks/{dataset}/scl/fold{fold}/{variant}/scl_report.tsv"
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(4_000),
        runtime=grows(1 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(INDEX),
        images=config["report_images"],
        device=DEVICE,
        flags=variant_flags("scl_evaluate"),
    message:
        "Episodes of {wildcards.variant} on fold {wildcards.fold} of {wildcards.dataset}"
    shell:
        "python -m wsss_stages.stages.scl_report"
        " --index {input.index}"
        " --episodes {input.episodes}"
        " --features {input.features}"
        " --weights {input.weights}"
        " --page {output.page}"
        " --images {params.images}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"


rule scl_table:
    input:
        scores=scores_of_few_shot_table,
    output:
        html=report(
            "results/{dataset}/scl/tables/{few_shot_table}.html", category="Tables"
        ),
        picture=report(
            "results/{dataset}/scl/tables/{few_shot_table}.png", category="Tables"
        ),
        csv="results/{dataset}/scl/tables/{few_shot_table}.csv",
        markdown="results/{dataset}/scl/tables/{few_shot_table}.md",
    log:
        "logs/{dataset}/scl/{few_shot_table}.log",
    benchmark:
        "benchmarks/{dataset}/scl/{few_shot_table}.tsv"
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(2_000),
        runtime=grows(10),
    params:
        scores=numbered("scores", rows_of_few_shot_table),
        table=lambda wildcards, output: output.csv.removesuffix(".csv"),
    message:
        "{wildcards.few_shot_table} on {wildcards.dataset}"
    shell:
        "python -m wsss_stages.stages.scl_table"
        " --name {wildcards.few_shot_table}"
        " {params.scores}"
        " --table {params.table}"
        " > {log} 2>&1"


for name in FEW_SHOT_TABLES:

    rule:
        name:
            name
        input:
            f"results/{config['dataset']}/scl/tables/{name}.html",
        localrule: True


rule scl:
    input:
        f"results/{config['dataset']}/scl/tables/table_5_1.html",
        expand(
            f"results/{config['dataset']}/scl/fold{{fold}}/{{variant}}/scl_report/episodes.png",
            fold=section("tables")["folds"],
            variant=["canet_scl", "pfenet_scl"],
        ),
    localrule: True
