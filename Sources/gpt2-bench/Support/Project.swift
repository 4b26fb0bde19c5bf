import Foundation

/// Where the project's own files are: the folder that holds `Benchmarks/suites`, found upwards from the working
/// folder, then upwards from the executable. `GPT2_BENCH_HOME` names another.
struct Project {
  let root: String

  init() throws {
    let environment = ProcessInfo.processInfo.environment
    if let home = environment["GPT2_BENCH_HOME"], !home.isEmpty {
      guard Self.isRoot(home) else {
        throw RunError("GPT2_BENCH_HOME: \(home) has no folder Benchmarks/suites")
      }
      root = home
      return
    }
    let starts = [
      FileManager.default.currentDirectoryPath,
      URL(fileURLWithPath: Self.executable).resolvingSymlinksInPath().deletingLastPathComponent().path,
    ]
    for start in starts {
      if let found = Self.search(upwardsFrom: start) {
        root = found
        return
      }
    }
    throw RunError(
      "the project's folder is not found, expected Benchmarks/suites above the working folder or the "
        + "executable; GPT2_BENCH_HOME names it")
  }

  /// The path of the running program.
  static var executable: String {
    #if canImport(Glibc)
      if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
        return path
      }
    #endif
    return CommandLine.arguments[0]
  }

  var weights: String { root + "/weights" }
  var reports: String { root + "/reports" }
  var suites: String { root + "/Benchmarks/suites" }
  var references: String { root + "/Benchmarks/reference" }
  var tinyModel: String { weights + "/tiny" }
  var downloadedModel: String { weights + "/gpt2" }

  /// A path below the working folder as people would type it.
  static func shown(_ path: String) -> String {
    let current = FileManager.default.currentDirectoryPath + "/"
    return path.hasPrefix(current) ? String(path.dropFirst(current.count)) : path
  }

  private static func isRoot(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: folder + "/Benchmarks/suites")
  }

  private static func search(upwardsFrom start: String) -> String? {
    var url = URL(fileURLWithPath: start).standardizedFileURL
    while true {
      if isRoot(url.path) { return url.path }
      let parent = url.deletingLastPathComponent()
      if parent.path == url.path { return nil }
      url = parent
    }
  }
}
