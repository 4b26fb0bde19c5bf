import Foundation
import GPT2Model
import Record
import Reporting

/// `--model A,B` of `all` and `run`: a run of each model, one after the other, then the figures of each row, model by
/// model. Each run is as if its model had been asked for alone: a record is of one model.
struct ModelSeries {
  private let arguments: Arguments
  private let models: [String]

  /// Options that are about one record.
  private static let ofOne = ["--baseline", Option.saveBaseline.names[0]]

  /// - Returns: nil where the command line names one model, or none.
  /// - Throws: `UsageError` for no model between commas, and for options that are about one record.
  init?(_ arguments: Arguments) throws {
    guard let text = arguments.string("--model") else { return nil }
    models = Self.models(in: text)
    guard models.count > 1 else { return nil }
    if models.contains("") { throw UsageError("--model", found: text, expected: "a model between commas") }
    if let option = Self.ofOne.first(where: arguments.flag) {
      throw UsageError(option, found: "\(models.count) models", expected: "one with it")
    }
    self.arguments = arguments
  }

  /// What exists by the whole name is one model, whatever is in it; the commas of a shape `synthetic:L,H,C,V,T` are its
  /// own.
  static func models(in text: String) -> [String] {
    if FileManager.default.fileExists(atPath: text) { return [text] }
    var models: [String] = []
    /// Numbers that are still the last model's.
    var missing = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      if missing > 0, Int(part) != nil {
        models[models.count - 1] += "," + part
        missing -= 1
      } else {
        models.append(part)
        let prefix = ModelSource.syntheticPrefix
        missing = part.hasPrefix(prefix) && Int(part.dropFirst(prefix.count)) != nil ? 4 : 0
      }
    }
    return models.uniqued()
  }

  /// The command of each model alone; its folder is in that of `--out`.
  private var commands: [Arguments] {
    var taken: [String: Int] = [:]
    return models.map { model in
      let command = arguments.setting("--model", to: model)
      guard let out = arguments.string("--out") else { return command }
      let name = ReportFolder.name(ofModel: model)
      taken[name, default: 0] += 1
      let number = taken[name].map { $0 > 1 ? "-\($0)" : "" } ?? ""
      return command.setting("--out", to: "\(out)/\(name)\(number)")
    }
  }

  /// - Returns: the code of the first run that did not end well.
  /// - Throws: before anything is measured: `UsageError` or `ModelError` for a model that cannot be measured.
  func run(_ work: EndToEnd.Work, _ console: Console) throws -> ExitCode {
    let format = try arguments.choice("--format", of: ResultFormat.allCases)
    let setups = try commands.map { try EndToEnd($0, console, format == nil ? .tables : .nothing) }
    for setup in setups { _ = try setup.plan(work, setup.referenceCases()) }
    var (records, code) = ([Record](), ExitCode.done)
    for (place, setup) in setups.enumerated() where !Interruption.shared.isCancelled {
      console.note("model \(place + 1) of \(models.count): \(models[place])")
      let record = try setup.run(work)
      records.append(record)
      code = code == .done ? record.runExitCode : code
    }
    guard let summary = ModelSummary(records) else { return code }
    try Output.put(nil, console, isFormatted: format != nil, text: summary.text(as: format ?? .markdown)) {
      colour, width, _ in summary.terminalText(colour: colour, width: width)
    }
    return code
  }
}
