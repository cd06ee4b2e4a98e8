# One image, one program: every worker of a network is this image with other flags.
ARG NODE_VERSION=20

FROM node:${NODE_VERSION}-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

# Built with packages that the image does not keep.
FROM node:${NODE_VERSION}-bookworm-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json ./
RUN npm ci --ignore-scripts
COPY shared shared
COPY services services
COPY deploy deploy
RUN node -e 'require("/app/services/hub/build-page.cjs").builtPage()'

FROM node:${NODE_VERSION}-bookworm-slim
LABEL org.opencontainers.image.title="unlocked" \
      org.opencontainers.image.description="A neural network whose layers are services" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production
WORKDIR /app
# A named volume starts as a copy of the folder it covers, its owner included: without these it would belong to root.
RUN mkdir /state /record && chown 1000:1000 /state /record
COPY --from=packages /app/node_modules node_modules
COPY --from=page /app/node_modules/.cache/unlocked-page node_modules/.cache/unlocked-page
COPY package.json package-lock.json tsconfig.json ./
COPY shared shared
COPY services services
COPY deploy deploy
COPY configs configs
# Here, since a container cannot write beside its packages.
RUN node services/start/run.cjs services/cli/main.ts --help
# `node` in the base image; a number, so that an orchestrator can see that it is not root.
USER 1000:1000
ENTRYPOINT ["node", "services/start/run.cjs"]
CMD ["services/cli/main.ts", "--help"]
