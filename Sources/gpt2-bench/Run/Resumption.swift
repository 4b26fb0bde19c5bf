import Foundation
import Measurement
import Record

/// The record of a run of `all` or `run` that was ended early, to be finished: its command is carried out again, but for
/// the cells that have all their samples.
struct Resumption {
  static let option = Option(
    "--resume", value: "RECORD", in: .effort, default: "none: a new run",
    help:
      "finish the run of this record, in its folder or in --out: what it lacks is measured, by the same command"
  )

  let path: String
  let record: Record
  /// Where the reports go: the folder of the record, unless `--out` names another.
  let folder: String

  private var words: ArraySlice<String> { record.command.dropFirst(2) }

  /// - Throws: `RecordError` for a record that is complete, or of another command.
  init(_ path: String, _ arguments: Arguments) throws {
    self.path = path
    guard path != RecordFile.standardInput || arguments.flag("--out") else {
      throw UsageError(Self.option.names[0], found: path, expected: "--out with it, the folder that goes on")
    }
    let file = RecordFile.path(meaning: path)
    folder = arguments.string("--out") ?? URL(fileURLWithPath: file).deletingLastPathComponent().path
    record = try Record.read(path: path)
    try require(!record.isComplete, "isComplete", "true", "false, as of a run that was ended early")
    let name = record.command.dropFirst().first ?? "nothing"
    let known = [All.description.name, Run.description.name]
    try require(known.contains(name), "command", name, known.joined(separator: " or "))
  }

  /// - Parameter arguments: of `--resume`; the record's command says all else.
  func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let others = Run.description.options.filter { $0.names != Self.option.names && $0.names[0] != "--out" }
    if let other = others.first(where: { arguments.flag($0.names[0]) }) {
      throw UsageError(
        "\(other.names[0]): found \(Self.option.names[0]) too, whose record says what is measured")
    }
    if record.command[1] == All.description.name {
      return try All.run(try Arguments(Array(words), of: All.description), console, self)
    }
    return try Run.run(try Arguments(Array(words), of: Run.description), console, self)
  }

  /// - Parameter now: the record of the run that is to finish it, before anything is measured.
  /// - Throws: `RecordError` for the first field in which the two differ: their samples would not be of one kind.
  func refuse(otherThan now: Record) throws {
    func same<Value: Equatable>(_ name: String, _ field: (Record) -> Value) throws {
      let (found, expected) = (field(record), field(now))
      try require(found == expected, name, "\(found)", "\(expected), as it is now")
    }
    try same("model.name") { $0.model?.name ?? "none" }
    try same("model.parameters") { $0.model?.parameters ?? 0 }
    try same("model.weightBytes") { $0.model?.weightBytes ?? 0 }
    try same("model.hasTokenizer") { $0.model?.hasTokenizer ?? false }
    try same("machine.cpu") { $0.machine.cpu }
    try same("machine.logicalCores") { $0.machine.logicalCores }
    try same("machine.flags") { $0.machine.flags.joined(separator: " ") }
    try same("build.version") { $0.build.version }
    try same("build.compiler") { $0.build.compiler }
    try same("build.configuration") { $0.build.configuration }
    try same("build.cpuFlag") { $0.build.cpuFlag }
    try same("build.commit") { $0.build.commit ?? "none" }
    try same("settings.suite") { $0.settings.suite ?? "none" }
    try same("settings.repetitions") { $0.settings.repetitions }
    try same("settings.cellBudgetSeconds") { $0.settings.cellBudgetSeconds }
    try same("settings.seed") { $0.settings.seed }
    try same("cells") {
      $0.cells.map { "\($0.variant) t\($0.threads) \($0.test.name)" }.joined(separator: ", ")
    }
  }

  private func require(_ holds: Bool, _ field: String, _ found: String, _ expected: String) throws {
    try RecordError.unless(holds, of: path, field, found, expected)
  }
}

extension Bench {
  /// Takes over what an earlier run has. Cells that have all their samples, or cannot have any, stay; those that were
  /// ended on the way are measured anew, in rounds whose numbers go on.
  ///
  /// - Throws: `RecordError` where it was another run.
  func resume(_ resumption: Resumption) throws {
    let earlier = resumption.record
    try resumption.refuse(otherThan: record)
    (record.command, record.started) = (earlier.command, earlier.started)
    for (index, cell) in earlier.cells.enumerated() where cell.isOver { record.cells[index] = cell }
    kept = plan.contestants.indices.filter(isOut)
    func isKept(_ variant: String, _ threads: Int) -> Bool {
      kept.contains { plan.contestants[$0].label == variant && plan.contestants[$0].threads == threads }
    }
    record.correctness = earlier.correctness.filter { isKept($0.variant, $0.threads) }
    record.profiles = earlier.profiles?.filter { isKept($0.variant, $0.threads) }
    record.countersUnavailable = earlier.countersUnavailable
    for peer in earlier.peers ?? [] {
      guard let index = record.peers?.firstIndex(where: { $0.name == peer.name }) else { continue }
      record.peers?[index].version = peer.version
    }
    let samples = record.cells.flatMap(\.samples)
    firstPlace = (
      (samples.map(\.round).max() ?? -1) + 1, (samples.map(\.sequence).max() ?? -1) + 1
    )
    let count = record.cells.count { $0.status != .pending }
    record.resumed =
      (earlier.resumed ?? []) + [
        "resumed at \(Date().formatted(.iso8601)): \(count) of \(record.cells.count) cells were measured before that; "
          + "ceilings and conditions are those of the last part"
      ]
  }
}

extension Cell {
  static let interruptedWords = "interrupted at n = "

  /// Whether a run that is resumed leaves it as it is.
  fileprivate var isOver: Bool {
    switch status {
    case .measured: message?.hasPrefix(Self.interruptedWords) != true
    case .pending, .died, .hung: false
    case .failedCheck, .rejected, .skipped: true
    }
  }
}
