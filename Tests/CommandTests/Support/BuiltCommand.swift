import Foundation
import Testing

/// The built `gpt2-bench`, run as a process of its own.
enum BuiltCommand {
  struct Result {
    let status: Int32
    let output: String
    let error: String

    /// What stands on standard error, line by line.
    var errorLines: [Substring] { error.split(separator: "\n") }
  }

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - seconds: how long it may take; it is ended then, and that is an issue.
  ///   - limit: what the shell's `ulimit` is told first.
  static func run(
    _ arguments: [String], in sandbox: Sandbox, input: String = "", seconds: Double = 60,
    environment: [String: String] = [:], limit: String? = nil
  ) throws -> Result {
    let running = try RunningCommand(
      arguments, in: sandbox, input: input, environment: environment, limit: limit)
    return try running.result(within: seconds)
  }

  /// Lines that a shell would join, joined.
  static func joined(_ output: String) -> String { output.replacing(" \\\n   ", with: "") }

  /// An executable of the package's beside the test bundle, which is where the build puts it.
  static func executable(_ name: String = "gpt2-bench") throws -> String {
    let starts = [Bundle(for: Anchor.self).bundleURL, Bundle.main.bundleURL]
    for start in starts {
      var folder = start
      for _ in 0..<5 {
        defer { folder.deleteLastPathComponent() }
        let path = folder.appendingPathComponent(name).path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
          FileManager.default.isExecutableFile(atPath: path)
        {
          return path
        }
      }
    }
    throw Missing(name: name)
  }

  struct Missing: Error, CustomStringConvertible {
    let name: String
    var description: String {
      "\(name) was not found beside the tests, expected 'swift build' to have made it"
    }
  }

  private final class Anchor {}
}

/// A command that has been started. Its output goes to files, which can be read while it runs; standard output
/// elsewhere where `output` names a path. Its input is a text, or what comes through a pipe.
final class RunningCommand {
  private let process = Process()
  private let ended = DispatchSemaphore(value: 0)
  private let outputPath: String
  private let errorPath: String
  private let words: [String]

  init(
    _ arguments: [String], in sandbox: Sandbox, input: String = "", pipe: Pipe? = nil,
    environment: [String: String] = [:], output: String? = nil, limit: String? = nil
  ) throws {
    words = arguments
    let prefix = "\(sandbox.folder)/\(UUID().uuidString)"
    outputPath = prefix + ".out"
    errorPath = prefix + ".err"
    for (path, text) in [(outputPath, ""), (errorPath, ""), (prefix + ".in", input)] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    process.executableURL = URL(fileURLWithPath: try BuiltCommand.executable())
    process.arguments = arguments
    if let limit {
      process.arguments =
        ["-c", "ulimit \(limit) && exec \"$0\" \"$@\"", try BuiltCommand.executable()] + arguments
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
    }
    process.currentDirectoryURL = URL(fileURLWithPath: sandbox.work)
    var inherited = ProcessInfo.processInfo.environment.filter { $0.key != "NO_COLOR" }
    inherited["GPT2_BENCH_HOME"] = sandbox.home
    // What a machine has installed must not change what is expected of it.
    inherited["GPT2_BENCH_BLAS"] = ""
    // Seconds a run, and no test reads what they find.
    inherited["GPT2_BENCH_CEILINGS"] = "brief"
    process.environment = inherited.merging(environment) { $1 }
    process.standardInput = pipe ?? FileHandle(forReadingAtPath: prefix + ".in") as Any?
    process.standardOutput = FileHandle(forWritingAtPath: output ?? outputPath)
    process.standardError = FileHandle(forWritingAtPath: errorPath)
    process.terminationHandler = { [ended] _ in ended.signal() }
    try process.run()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var id: Int32 { process.processIdentifier }

  var isRunning: Bool { process.isRunning }

  var output: String { Self.text(outputPath) }

  var error: String { Self.text(errorPath) }

  func send(_ signal: Int32) { kill(id, signal) }

  /// Waits for its end.
  func result(within seconds: Double) throws -> BuiltCommand.Result {
    if ended.wait(timeout: .now() + seconds) == .timedOut {
      kill(id, SIGKILL)
      ended.wait()
      throw TooSlow(command: words.joined(separator: " "), seconds: seconds, error: error)
    }
    return .init(status: process.terminationStatus, output: Self.text(outputPath), error: error)
  }

  private static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }

  struct TooSlow: Error, CustomStringConvertible {
    let command: String
    let seconds: Double
    let error: String

    var description: String {
      "gpt2-bench \(command) had not ended after \(seconds) s; it had written: \(error)"
    }
  }
}

/// Asks again and again, until it is so or the time is over.
func poll(within seconds: Double = 30, _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = Date().addingTimeInterval(seconds)
  while Date() < deadline {
    if try condition() { return true }
    usleep(10_000)
  }
  return try condition()
}
