/**
 * `Content-Disposition` of a download (RFC 6266): the name for everyone, and in ASCII for old programs.
 *
 * @param nom name of the file, without a folder
 */
export function enPieceJointe(nom: string): string {
  const clean = nom.toWellFormed().replaceAll(/[\u0000-\u001f\u007f-\u009f/\\]/g, '_');
  const ascii = clean
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .replaceAll(/[^ -~]|["%]/g, '_');
  const encoded = encodeURIComponent(clean).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
