# Runs `ovct` as a user without rights, on what is mounted at /work (docs/start/installing.md). Not built in CI.
FROM python:3.11-slim AS build
# '[train]', '[serve]', ...: extras of pyproject.toml
ARG EXTRAS=""
WORKDIR /source
RUN python -m venv /opt/ovct
COPY pyproject.toml constraints.txt README.md LICENSE ovct.py ./
COPY curation curation
COPY data_cards data_cards
COPY models models
COPY prompts prompts
COPY train train
RUN /opt/ovct/bin/pip install --no-cache-dir --no-compile --constraint constraints.txt ".${EXTRAS}"

FROM python:3.11-slim
COPY --from=build /opt/ovct /opt/ovct
RUN useradd --create-home --uid 10001 ovct
ENV PATH=/opt/ovct/bin:$PATH MPLCONFIGDIR=/tmp/matplotlib PYTHONUNBUFFERED=1
USER ovct
WORKDIR /work
ENTRYPOINT ["ovct"]
CMD ["--help"]
