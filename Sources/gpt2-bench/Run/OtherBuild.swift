import Foundation
import Measurement

/// Another build's `gpt2-bench`, to be measured beside this one.
struct OtherBuild {
  /// Every build answers as soon as it runs; a program that hears the end of its input and goes on is none.
  private static let patience = Duration.seconds(10)

  let path: String

  /// - Parameter option: what an error names first; nil for an operand.
  /// - Throws: `UsageError` for what is no program; `RunError` for a program that does not answer as a worker does, which
  ///   is known before anything is made or measured.
  init(_ path: String, _ option: String? = nil) throws {
    guard Output.isProgram(path) else {
      let found =
        Output.isFolder(path).map { $0 ? "a folder" : "a file that cannot be executed" } ?? "no file"
      throw UsageError(
        option ?? "operand", found: path, expected: "another build's gpt2-bench, and there is \(found)")
    }
    self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    do { try ask() } catch let error as WorkerError where error.isFinal {
      throw RunError(
        "\(option.map { $0 + ": " } ?? "")found \(path), which is no gpt2-bench that runs here: \(error)")
    }
  }

  private func ask() throws {
    let process = try WorkerProcess(
      name: "worker", executable: path, arguments: ["worker"], environment: Worker.environment)
    defer { process.stop() }
    let _: Empty = try process.request(
      "memory", timeout: Self.patience, isLast: true, isCancelled: { Interruption.shared.isCancelled })
  }
}
