import type { IIoK8sApiCoreV1Container as Container } from "kubernetes-models/v1/Container";
import type { IIoK8sApiCoreV1Probe as Probe } from "kubernetes-models/v1/Probe";
import { PORT } from "./network.ts";

/** Startup and readiness apart from liveness: a layer that waits for its neighbour is alive, and not ready. */
export function probes(
  isHub: boolean,
  hasTls: boolean,
): Pick<Container, "startupProbe" | "readinessProbe" | "livenessProbe"> {
  const ask = (path: string): Probe =>
    // With TLS it asks for a certificate, which a kubelet has not.
    hasTls && !isHub
      ? { tcpSocket: { port: "ws" } }
      : // The hub answers nobody who does not name it.
        { httpGet: { path, port: "ws", httpHeaders: [{ name: "Host", value: `127.0.0.1:${PORT}` }] } };
  return {
    startupProbe: { ...ask("/healthz"), periodSeconds: 1, failureThreshold: 120 },
    readinessProbe: { ...ask(isHub ? "/healthz" : "/readyz"), periodSeconds: 2, failureThreshold: 3 },
    livenessProbe: { ...ask("/healthz"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
  };
}
