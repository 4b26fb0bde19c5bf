import Foundation
import GPT2Model

/// Contestants for tests, as shell scripts: one that answers what it is told to, or this build's worker with its
/// answers changed.
struct FakePeer {
  let sandbox: Sandbox

  static let goodLoad =
    #"{"loadNanoseconds":1000,"wasCold":null,"threads":1,"weights":"f32","version":"fake 1"}"#
  /// Of one token; longer requests make it a wrong answer.
  static let goodRun =
    #"{"elapsedNanoseconds":2000,"iterations":1,"prefillNanoseconds":1000,"tokenNanoseconds":[1500],"ids":[[1]]}"#

  /// A program of its own, where each operation is a line of shell: `answer '{…}'` answers, `refuse 'why'` refuses,
  /// and `$out` is where logits go.
  ///
  /// - Returns: what `--contestant` takes.
  func script(
    _ name: String, load: String = "answer '\(goodLoad)'", logits: String = "refuse 'none'",
    run: String = "answer '\(goodRun)'", memory: String = "answer '{\"peakBytes\":null}'"
  ) throws -> String {
    try executable(
      name,
      """
      n=0
      answer() { printf '{"id":%d,"ok":true,"result":%s}\\n' "$n" "$1"; }
      refuse() { printf '{"id":%d,"ok":false,"error":"%s"}\\n' "$n" "$1"; }
      while IFS= read -r line; do
        n=$((n + 1))
        out=${line##*\\"out\\":\\"}
        out=${out%%\\"*}
        case "$line" in
        *'"operation":"load"'*) \(load) ;;
        *'"operation":"logits"'*) \(logits) ;;
        *'"operation":"run"'*) \(run) ;;
        *'"operation":"quit"'*) answer '{}'; exit 0 ;;
        *) \(memory) ;;
        esac
      done
      """)
  }

  /// This build's `kv-cache`, each answer of which goes through a `sed` expression.
  func worker(_ name: String, sed: String) throws -> String {
    try executable(
      name,
      """
      '\(BuiltCommand.executable())' worker --variant kv-cache | while IFS= read -r line; do
        printf '%s\\n' "$line" | sed -E '\(sed)'
      done
      """)
  }

  /// A file of logits: one position, all of them `value`.
  func logits(_ name: String, columns: Int, value: Float) throws {
    let row = NPY(rows: 1, columns: columns, values: [Float](repeating: value, count: columns))
    try row.write(to: sandbox.path(name))
  }

  private func executable(_ name: String, _ text: String) throws -> String {
    let path = try sandbox.file("\(name).sh", "#!/bin/sh\n\(text)\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return "\(name)=./\(name).sh"
  }
}
