import Record
import Reporting

enum Report: Command {
  static let description = CommandDescription(
    name: "report", summary: "makes the reports again from the record of a run or a comparison",
    operands: "[RECORD]", operandCount: 0...1,
    examples: [
      ("the report of a run's folder, as Markdown", "gpt2-bench report reports/NAME"),
      ("the page", "gpt2-bench report reports/NAME/record.json --format html --out page.html"),
      ("of a record from standard input", "gpt2-bench report -"),
    ],
    options: [
      RecordFormat.option(of: .endToEnd),
      Option(
        "--history",
        help:
          "the trend of each row over the runs in the folder RECORD, or in the project's reports, as md, csv, json or html"
      ),
      .outFile,
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    if arguments.flag("--history") { return try history(arguments, console) }
    guard !arguments.operands.isEmpty else {
      throw UsageError("found no operand, expected the RECORD of a run or a comparison, or --history")
    }
    let asked = try arguments.choice("--format", of: RecordFormat.allCases)
    let format = asked ?? .markdown
    let (path, out) = (arguments.operands[0], arguments.string("--out"))
    switch try RecordFile.read(path: path) {
    case .run(let record):
      try Output.put(out, console, isFormatted: asked != nil, text: format.text(of: record)) {
        RunReport(record).terminal(colour: $0, width: $1, isVerbose: $2)
      }
    case .builds(let record):
      try record.settings.checkTexts(path: path)
      try format.put(
        try Comparison(record), head: Record(headOf: record), to: out, isFormatted: asked != nil, console)
    }
    return .done
  }

  private static func history(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let format = try arguments.choice("--format", of: PageFormat.allCases)
    let out = try arguments.outFile()
    let folder = try arguments.operands.first ?? Project().reports
    guard Output.isFolder(folder) == true else {
      throw RunError("\(folder): found no folder, expected one that holds runs, each in a folder of its own")
    }
    var records: [Record] = []
    for path in StoredRuns.paths(in: folder) {
      do { records.append(try Record.read(path: path)) } catch { console.note("left out: \(error)") }
    }
    guard let history = RunHistory(records) else {
      throw RunError(
        "\(folder): found no run with a figure, expected one in a folder below it, as 'run' writes it")
    }
    try Output.put(out, console, isFormatted: format != nil, text: history.text(as: format ?? .markdown)) {
      colour, width, _ in history.terminalText(colour: colour, width: width)
    }
    return .done
  }
}
