# Trained weights, fetched once: compute nodes often have no internet.


rule weights:
    output:
        weights="resources/weights/{architecture}.{name}.pth",
    params:
        checksum=weights_checksum,
        code=code("weights"),
    log:
        "logs/weights/{architecture}.{name}.log",
    benchmark:
        "benchmarks/weights/{architecture}.{name}.tsv"
    conda:
        "../../envs/torch.yaml"
    localrule: True
    script:
        "../scripts/weights.py"
