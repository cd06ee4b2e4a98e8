const LABEL = "app.kubernetes.io";

/** What an object may be called: lower case, digits and dashes. */
export function nameOf(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return /^[a-z]/.test(plain) ? plain : `net-${plain}`;
}

export function metadata(net: string, name: string, component?: string) {
  return { name, labels: labels(net, component) };
}

export function labels(net: string, component?: string) {
  return {
    [`${LABEL}/name`]: "unlocked",
    [`${LABEL}/instance`]: net,
    ...(component !== undefined && { [`${LABEL}/component`]: component }),
  };
}
