import Record

/// The record as a report for people: the answer first, then every figure, correctness, how it was measured,
/// and the machine.
public struct MarkdownReport: Sendable {
  public let text: String

  public init(_ record: Record) {
    self.init(RunFigures(record))
  }

  init(_ run: RunFigures) {
    let validity = Validity(run.record)
    let sections = [
      "# " + Self.title(run.record), Self.warnings(run, validity), Self.answer(run), Self.ladder(run),
      Self.allFigures(run), Self.positions(run), Self.profiles(run), Self.work(run), Self.counters(run),
      Self.correctness(run), Self.loading(run),
      Self.validity(validity, run.record), Self.method(run), Self.machine(run.record),
    ]
    text = sections.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  /// `synthetic:gpt2 on Intel(R) Xeon(R) Processor`
  static func title(_ record: Record) -> String {
    "\(record.subject.singleLine) on \(record.machine.cpu.singleLine)"
  }

  private static func warnings(_ run: RunFigures, _ validity: Validity) -> String {
    (RunRemarks.warnings(run.record) + [validityWarning(validity)].compactMap { $0 }).map {
      "> **Warning:** \($0)"
    }.joined(separator: "\n>\n")
  }

  static func list(_ items: [String]) -> String {
    items.map { "- \($0)" }.joined(separator: "\n")
  }

  /// A heading and what stands under it; empty where nothing does.
  static func section(_ heading: String, _ parts: [String]) -> String {
    let filled = parts.filter { !$0.isEmpty }
    return filled.isEmpty ? "" : (["## \(heading)"] + filled).joined(separator: "\n\n")
  }
}

extension Record {
  /// What the run was about, for headings: the model, or what was measured without one.
  public var subject: String {
    switch kind {
    case .endToEnd: model?.name ?? "GPT-2"
    case .matmul: "GEMM"
    case .operations: "GPT-2's operations"
    }
  }
}
