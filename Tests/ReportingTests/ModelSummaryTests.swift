import Foundation
import Record
import TestSupport
import Testing

@testable import Reporting

struct ModelSummaryTests {
  private func run(of model: String, milliseconds: Double) -> Record {
    let times = [Double](repeating: milliseconds, count: 3)
    var record = Fixture.record(cells: [Fixture.prefillCell("naive", milliseconds: times)])
    record.model?.name = model
    return record
  }

  @Test func theModelsOfARowAreBelowEachOther() throws {
    let summary = try #require(
      ModelSummary([run(of: "small", milliseconds: 4), run(of: "large", milliseconds: 16)]))
    let lines = try summary.text(as: .csv).split(separator: "\n")
    #expect(lines.count == 3 && lines[0].hasPrefix("model,started,commit,variant,"))
    for (line, (model, rate)) in zip(lines.dropFirst(), [("small", 16000), ("large", 4000)]) {
      #expect(line.hasPrefix("\(model),"))
      expectContains(line, ",naive,f32,1,pp64,prefill tok/s,tok/s,\(rate),")
    }
    let markdown = try summary.text(as: .markdown)
    #expect(markdown.contains("# 2 models, row by row") && markdown.contains("| small |"))
    let terminal = summary.terminalText(colour: false, width: 40)
    #expect(terminal.split(separator: "\n").allSatisfy { $0.count <= 40 } && terminal.contains("large"))
    let json = try summary.text(as: .json)
    #expect(json.contains("large") && json.contains("\"schema\"") && json.contains("\"points\""))
  }

  @Test func withoutAFigureThereIsNone() { expectNil(ModelSummary([])) }
}
