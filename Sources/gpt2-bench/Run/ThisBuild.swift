import CSystem
import Foundation
import GPT2Kernels
import Measurement
import Record
import Reporting

extension Build {
  static let programVersion = "0.1.0"

  /// This program's build. Its commit is the one that was installed, else the one of the project's folder.
  ///
  /// - Parameter project: nil where there is none.
  static func current(_ project: @autoclosure () throws -> Project?) rethrows -> Build {
    if Installation.root != nil { return ofProgram(commit: Installation.commit) }
    return ofProgram(commit: try project().flatMap { commit(of: $0.root) })
  }

  /// What people are shown of it, name by name.
  var rows: [(name: String, value: String)] {
    [
      ("version", version), ("commit", commit ?? "not known: it was not built in a git checkout"),
      ("compiler", compiler), ("build", "\(configuration), \(cpuFlag)"),
      (
        "cpu paths",
        "vectors of \(vectorBits) bits in \(csystem_vector_registers()) registers, "
          + (csystem_fuses_multiply_add() == 1 ? "fused multiply-add" : "no fused multiply-add")
      ),
      ("products", Self.productPaths),
    ]
  }

  /// `bf16: avx512_bf16, avx2, scalar; int8, int4: avx512_vnni, scalar`: what this build has for each precision, the one
  /// that it takes first.
  private static var productPaths: String {
    let paths = WeightPrecision.allCases.map { precision in
      (precision.rawValue, DotPath.all(for: precision).map(\.rawValue).joined(separator: ", "))
    }.filter { !$0.1.isEmpty }
    return paths.map(\.1).uniqued().map { path in
      paths.filter { $0.1 == path }.map(\.0).joined(separator: ", ") + ": \(path)"
    }.joined(separator: "; ")
  }

  /// What `--version` shows.
  var text: String {
    let lines = alignedColumns(rows.dropFirst().map { [$0.name, $0.value] })
    return "gpt2-bench \(version)\n" + lines.map { $0 + "\n" }.joined()
  }

  static func ofProgram(commit: String?) -> Build {
    #if DEBUG
      let configuration = "debug"
    #else
      let configuration = "release"
    #endif
    return Build(
      version: programVersion, compiler: "Swift \(swiftVersion)", configuration: configuration,
      cpuFlag: String(cString: csystem_cpu_flag()), vectorBits: Int(csystem_vector_bytes()) * 8,
      commit: commit)
  }

  private static var swiftVersion: String {
    #if swift(>=6.4)
      "6.4 or later"
    #elseif swift(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  /// The short hash, with `-dirty` where tracked files differ; nil outside a git checkout.
  private static func commit(of folder: String) -> String? {
    let quoted = "'" + folder.replacingOccurrences(of: "'", with: "'\\''") + "'"
    // Foundation's `Process` traps where few files may be open.
    guard let git = popen("git -C \(quoted) describe --always --dirty --exclude='*' 2>/dev/null", "r") else {
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = fread(&bytes, 1, bytes.count, git)
    let text = String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
    return pclose(git) == 0 && !text.isEmpty ? text : nil
  }
}

extension ForkJoin {
  /// Measures a pool of that many threads; nil for one, which forks nothing.
  static func ofPool(threads: Int) -> ForkJoin? {
    let pool = ThreadPool(threads: threads)
    return measure(threads: pool.threads, fork: pool.forEach)
  }
}
