/** A stable +sip.instance from the key, so that a reload replaces its own contact (RFC 5626 section 4.1). */
export function instance(thumbprint: string): string {
  const hex = [...atob(thumbprint.replaceAll("-", "+").replaceAll("_", "/"))]
    .map((c) => c.charCodeAt(0).toString(16).padStart(2, "0"))
    .join("");
  // Version 8: made from something of ours (RFC 9562 section 5.8).
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
