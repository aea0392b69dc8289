# The server of graphrec (docs/deployment.md): docker build -t graphrec .
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/graphrec
ENV PATH=/opt/graphrec/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Address of a package index with PyTorch for the CPU (docs/install.md): the usual one brings several GB of CUDA
ARG TORCH_INDEX
COPY constraints.txt ./
RUN pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' constraints.txt)"
COPY pyproject.toml README.md LICENSE ./
COPY graphrec graphrec
COPY loaders loaders
COPY cypher cypher
COPY scripts scripts
RUN pip install --constraint constraints.txt ".[serve]"

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/graphrec graphrec
COPY --from=build /opt/graphrec /opt/graphrec
ENV PATH=/opt/graphrec/bin:$PATH GRAPHREC_HOME=/var/lib/graphrec PYTHONUNBUFFERED=1
USER graphrec
VOLUME /var/lib/graphrec
EXPOSE 8080
# /readyz is for the load balancer: a server without its database must not be restarted
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["graphrec"]
CMD ["serve", "--host", "0.0.0.0"]
