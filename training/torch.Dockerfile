# Jobs with PyTorch. From the repository's root: docker build -f training/torch.Dockerfile -t streamlens/training-torch .
FROM python:3.11-slim-bookworm
WORKDIR /app

# The same lines in each service's file, so that the images share these layers.
COPY pipeline/requirements.txt pipeline/
RUN pip install --no-cache-dir --no-compile --root-user-action=ignore --require-hashes -r pipeline/requirements.txt \
    && rm -rf /usr/local/lib/python3.11/site-packages/numpy/tests /usr/local/lib/python3.11/site-packages/numpy/*/tests \
    && python -c "import confluent_kafka, cv2, http.server, prometheus_client, pydantic_settings"
COPY pipeline pipeline

COPY training/torch/requirements.txt training/torch/
RUN pip install --no-cache-dir --root-user-action=ignore --require-hashes -r training/torch/requirements.txt \
    && python -c "import fastavro, ignite.engine, torch, torchvision, urllib3"
COPY training training
RUN python -m compileall -q pipeline training

USER 65532:65532
CMD ["python", "-m", "training.job"]
