# Trained weights, fetched once: compute nodes often have no internet.


rule weights:
    output:
        weights="resources/weights/{source}/{architecture}.{name}.pth",
    log:
        "logs/weights/{source}/{architecture}.{name}.log",
    benchmark:
        "logs/weights/{source}/{architecture}.{name}.tsv"
    localrule: True
    conda:
        "../../envs/torch.yaml"
    params:
        # No `code`: however a file was fetched, its checksum was verified, and an edit of the code
        # must not fetch a zoo again.
        checksum=of(STUDY.checksum),
    script:
        "../scripts/weights.py"
