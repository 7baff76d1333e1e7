# One image for every service of imwatch; the command says which: ingest, analytics, penalties, alerting.
FROM node:26-slim

WORKDIR /app
ENV NODE_ENV=production
# lib/node-flags.ts says why.
ENV NODE_OPTIONS=--max-semi-space-size=16
COPY package.json package-lock.json ./
# The image brings its own Node, so the package that fetches one stays an empty shell.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY cli cli
COPY consumers consumers
COPY dev dev
COPY ingest ingest
COPY lib lib
COPY schemas schemas
COPY test/vectors/callbacks test/vectors/callbacks

# Where ingest keeps what Kafka does not take in time; mount a volume there.
RUN install -d -o node -g node /var/lib/imwatch/spool
ENV INGEST_SPOOL_DIR=/var/lib/imwatch/spool

# Where consumers keep copies of what they know, which only save time.
RUN install -d -o node -g node /var/lib/imwatch/state
ENV CONSUMER_STATE_DIR=/var/lib/imwatch/state

# Compiled code that every start would make again.
RUN install -d -o node -g node /app/.compile-cache
ENV NODE_COMPILE_CACHE=/app/.compile-cache

USER node
RUN node cli/start.js --help > /dev/null
ENTRYPOINT ["node", "cli/start.js"]
CMD ["ingest"]
