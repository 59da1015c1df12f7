# Everything but a shell: docker build --tag stainless .
#   docker run --rm --volume "$PWD:/work" stainless render --config scenes/plate_small.yaml
#   docker run --rm --volume "$PWD:/work" stainless fit --data datasets/plate_small --category clean --out models/plates.safetensors
FROM python:3.11-slim-bookworm

# gcc builds the package noise; the libraries are those that the bpy wheel leaves out.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev \
    libx11-6 libxi6 libxfixes3 libxrender1 libxkbcommon0 libsm6 libgl1 \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /stainless
COPY . .
RUN pip install --no-cache-dir --constraint requirements.lock --editable '.[render,train]'

# Scenes of the project are found from any folder; what is written lies below this one.
WORKDIR /work
ENTRYPOINT ["stainless"]
CMD ["--help"]
