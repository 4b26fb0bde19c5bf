/// Reads the text of `/proc/cpuinfo` and its like.
enum CPUInfo {
  /// Extensions worth naming, as Linux names them on x86-64 and arm64.
  static let relevantFlags = [
    "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
    "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd", "asimdhp", "asimddp", "sve",
    "sve2", "i8mm", "bf16", "sme",
  ]

  /// The first core's `model name`; arm64 has none.
  static func modelName(_ cpuinfo: String) -> String? {
    field("model name", in: cpuinfo)
  }

  /// Those of `relevantFlags` that the first core has: `flags` on x86-64, `Features` on arm64.
  static func flags(_ cpuinfo: String) -> [String] {
    guard let line = field("flags", in: cpuinfo) ?? field("Features", in: cpuinfo) else { return [] }
    let present = Set(line.split(separator: " ").map(String.init))
    return relevantFlags.filter(present.contains)
  }

  /// `PRETTY_NAME="…"` of `/etc/os-release`.
  static func prettyName(_ release: String) -> String? {
    for line in release.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
      let value = line.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }
      return value.isEmpty ? nil : value
    }
    return nil
  }

  private static func field(_ name: String, in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, trimmed(parts[0]) == name else { continue }
      let value = trimmed(parts[1])
      return value.isEmpty ? nil : value
    }
    return nil
  }

  private static func trimmed(_ text: Substring) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
