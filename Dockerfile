# Graftline with everything it needs; by default it simulates the reference trial and writes its report:
#   docker build -t graftline .
#   docker run --rm -v "$PWD/out:/home/graftline/out" graftline
# The mounted folder must be writable by user 1000 (on Linux: mkdir out && chmod 777 out, or add --user "$(id -u)").
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 1000 graftline
WORKDIR /opt/graftline

COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-deps --no-build-isolation .

USER graftline
WORKDIR /home/graftline
RUN mkdir out
ENTRYPOINT ["graftline"]
CMD ["demo"]
