import Record
import Reporting

enum Report: Command {
  static let description = CommandDescription(
    name: "report", summary: "makes the reports again from the record of a run or a comparison",
    operands: "RECORD", operandCount: 1...1,
    options: [
      Option("--format", value: "F", help: RecordFormat.allCases.map(\.rawValue).joined(separator: ", ")),
      .outFile,
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let format = try arguments.choice("--format", of: RecordFormat.allCases) ?? .markdown
    let (path, out) = (arguments.operands[0], arguments.string("--out"))
    switch try RecordFile.read(path: path) {
    case .run(let record): try Output.put(format.text(of: record), out, console)
    case .builds(let record):
      try record.settings.checkTexts(path: path)
      let head = Record(headOf: record)
      if let format = ComparisonFormat(rawValue: format.rawValue) {
        try format.put(try Comparison(record), head: head, to: out, console)
      } else {
        try Output.put(format.text(of: head), out, console)
      }
    }
    return .done
  }
}
