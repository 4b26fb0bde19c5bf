import Foundation
import GPT2Kernels
import Record

/// One side of `explain`: where its profiles come from.
enum ExplainedSource {
  /// This build, now.
  case variant(Variant)
  /// Another build's `gpt2-bench`, now.
  case build(path: String, variant: Variant)
  /// Profiled in an earlier run.
  case record(RecordedProfiles)

  /// - Parameters:
  ///   - operand: a variant's name, another build's program, or `RECORD[:VARIANT]`.
  ///   - arguments: `--variant` and `-t`.
  /// - Throws: `UsageError` for an operand that is none of them; whatever is wrong with the record.
  init(_ operand: String, _ arguments: Arguments) throws {
    if Variant.names.contains(operand) {
      self = .variant(try Arguments.variant(operand, "explain"))
      return
    }
    if Self.isFile(operand) {
      if FileManager.default.isExecutableFile(atPath: operand) {
        let path = URL(fileURLWithPath: operand).standardizedFileURL.path
        self = .build(path: path, variant: try arguments.variant())
      } else {
        self = .record(try RecordedProfiles(path: operand, variant: nil, arguments))
      }
      return
    }
    if let colon = operand.lastIndex(of: ":"), Self.isFile(String(operand[..<colon])) {
      let variant = String(operand[operand.index(after: colon)...])
      self = .record(try RecordedProfiles(path: String(operand[..<colon]), variant: variant, arguments))
      return
    }
    throw UsageError(
      "found '\(operand)', expected a variant (\(Variant.names.joined(separator: ", "))), another build's "
        + "gpt2-bench, or a record.json, as RECORD or RECORD:VARIANT")
  }

  var record: RecordedProfiles? {
    if case .record(let record) = self { return record }
    return nil
  }

  var isVariant: Bool {
    if case .variant = self { return true }
    return false
  }

  /// What is profiled now, and by which build; nil for a record.
  var live: (variant: Variant, build: String)? {
    switch self {
    case .variant(let variant): (variant, Project.executable)
    case .build(let path, let variant): (variant, path)
    case .record: nil
    }
  }

  /// What people call it.
  var name: String {
    switch self {
    case .variant(let variant): variant.name
    case .build(let path, let variant): "\(Project.shown(path)):\(variant.name)"
    case .record(let record): record.name
    }
  }

  private static func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }
}

/// One contestant's profiles in a stored record.
struct RecordedProfiles {
  let path: String
  let record: Record
  let profiles: [Profile]

  var name: String { "\(Project.shown(path)):\(profiles[0].variant)" }

  /// - Parameters:
  ///   - variant: nil for that of `--variant`, or the only one that was profiled.
  ///   - arguments: `--variant`, and `-t` where the variant was profiled with several thread counts. A variant that is
  ///     not threaded has one thread whatever `-t` says.
  init(path: String, variant: String?, _ arguments: Arguments) throws {
    self.path = path
    record = try Record.read(path: path)
    let all = record.profiles ?? []
    guard !all.isEmpty else {
      throw RunError("\(path): holds no profiles, expected a record of all, run or profile that does")
    }
    let threads = try arguments.integer("-t", in: Threads.range)
    let named = variant ?? arguments.string("--variant")
    let found = all.filter { profile in
      let wanted = threads.map { Variant.named(profile.variant)?.threads(of: $0) ?? $0 }
      return (named ?? profile.variant) == profile.variant && (wanted ?? profile.threads) == profile.threads
    }
    let contestants = Set(found.map { "\(path):\($0.variant) with -t \($0.threads)" })
    guard contestants.count == 1 else {
      let known = Set(all.map { "\(path):\($0.variant) with -t \($0.threads)" }).sorted()
      let asked = named.map { "'\($0)'" } ?? "no variant"
      throw UsageError(
        "\(path): found \(asked)\(threads.map { " with -t \($0)" } ?? ""), expected one of "
          + known.joined(separator: ", "))
    }
    profiles = found
  }

  /// The threads that a variant beside it gets; nil where the recorded one is not threaded and tells nothing.
  var threads: Int? {
    Variant.named(profiles[0].variant)?.isThreaded == false ? nil : profiles[0].threads
  }

  /// Length of the stage's profile that is nearest to the record's end; nil where there is none.
  func tokens(of stage: Profile.Stage) -> Int? { profiles.last { $0.stage == stage }?.tokens }
}
