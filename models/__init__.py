"""The networks: embedders and annotators. They know nothing of datasets."""
