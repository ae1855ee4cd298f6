# Trained weights, fetched once: compute nodes often have no internet.


rule weights:
    output:
        weights="resources/weights/{architecture}.{name}.pth",
    log:
        "logs/weights/{architecture}.{name}.log",
    benchmark:
        "logs/weights/{architecture}.{name}.tsv"
    localrule: True
    conda:
        "../../envs/torch.yaml"
    params:
        checksum=weights_checksum,
        code=code("weights"),
    script:
        "../scripts/weights.py"
