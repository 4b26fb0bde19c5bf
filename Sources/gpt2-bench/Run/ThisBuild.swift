import CSystem
import Foundation
import GPT2Kernels
import Measurement
import Record

extension Build {
  static let programVersion = "0.1.0"

  /// This program's build, and the commit of the project's folder.
  static func current(_ project: Project) -> Build { ofProgram(commit: commit(of: project.root)) }

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
