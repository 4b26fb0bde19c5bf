import Foundation
import GPT2Kernels
import Measurement
import Record

/// What commands show.
extension ChatSession {
  var settingsText: String {
    Self.rows(ChatSetting.all.map { ($0.name, $0.show(settings)) })
  }

  var statusText: String {
    var rows = [
      ("mode", mode.rawValue),
      ("context", "\(conversation.tokens.count) of \(conversation.context) tokens"),
      ("dropped", "\(droppedCount) tokens"),
      ("turns", "\(turnCount)"),
    ]
    if let time = lastTurn?.millisecondsToFirstToken {
      rows.append(("last TTFT", String(format: "%.1f ms", time)))
    }
    if let rate = lastTurn?.tokensPerSecond {
      rows.append(("last speed", String(format: "%.1f tok/s", rate)))
    }
    if let bytes = ProcessMemory.residentBytes() { rows.append(("memory", Self.mebibytes(bytes))) }
    if let bytes = ProcessMemory.peakResidentBytes() { rows.append(("peak memory", Self.mebibytes(bytes))) }
    return Self.rows(rows)
  }

  var infoText: String {
    let c = model.configuration
    let machine = Machine.current()
    return Self.rows([
      ("model", model.name),
      (
        "shape",
        "\(c.layers) layers, \(c.heads) heads, \(c.channels) channels, \(c.parameterCount) parameters"
      ),
      (
        "vocabulary",
        "\(c.vocabulary)" + (model.tokenizer == nil ? ", no tokenizer: lines are token ids" : "")
      ),
      ("context", "\(c.context) tokens"),
      ("variant", "\(model.engine.variant.name), \(model.engine.variant.summary)"),
      ("weights", model.engine.variant.weights),
      ("threads", "\(model.engine.threads) of \(machine.logicalCores) cores"),
      ("cpu", machine.cpu),
      ("system", machine.system),
    ])
  }

  private static func mebibytes(_ bytes: Int) -> String {
    String(format: "%.1f MiB", Double(bytes) / 1_048_576)
  }

  private static func rows(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { "\($0.0.padding(to: width))  \($0.1)" }.joined(separator: "\n")
  }
}
