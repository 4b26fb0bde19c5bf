import Foundation
import Reporting

/// How a training goes, on standard error: on a terminal one line with the loss drawn in it, elsewhere a line for each
/// evaluation.
struct TrainingDisplay {
  private let console: Console
  private let steps: Int
  private let begin = ContinuousClock.now
  /// Steps that were done when this process began.
  private let before: Int
  private var lastDrawn: ContinuousClock.Instant?

  /// The curve's columns where the line has room.
  private static let curveWidth = 24
  private static let interval = Duration.milliseconds(200)
  /// Steps whose mean speed is shown.
  private static let speedSteps = 20

  init(_ console: Console, steps: Int, before: Int) {
    (self.console, self.steps, self.before) = (console, steps, before)
  }

  /// After a step; drawn a few times a second.
  mutating func show(_ history: TrainingHistory) {
    guard console.showsProgress, console.drawsOver, let row = history.rows.last else { return }
    let now = ContinuousClock.now
    if let lastDrawn, now - lastDrawn < Self.interval { return }
    lastDrawn = now
    let validation = history.lastEvaluation?.validation
    let curve = history.sparkline(width: min(Self.curveWidth, console.progressWidth / 4))
    let parts = [
      "step \(row.step)/\(steps)", String(format: "loss %.3f", row.loss), curve,
      validation.map { String(format: "validation %.3f", $0) } ?? "", speed(history),
      left(after: row.step, at: now).map { "\(RunProgress.clock($0)) left" } ?? "",
    ]
    console.drawProgress(parts.filter { !$0.isEmpty }.joined(separator: "  "))
  }

  /// What takes a while between two steps.
  func step(_ text: String) { if console.drawsOver { console.step(text) } }

  /// - Parameter sample: what the model wrote; nil for nothing.
  func evaluated(_ history: TrainingHistory, sample: String?) {
    guard console.showsProgress, let row = history.rows.last else { return }
    let validation = row.validation.map { String(format: ", validation %.4f", $0) } ?? ""
    let time = left(after: row.step, at: .now).map { ", \(RunProgress.clock($0)) left" } ?? ""
    let loss = String(format: "loss %.4f", history.recentLoss)
    console.note("step \(row.step)/\(steps): \(loss)\(validation), \(speed(history))\(time)")
    let lines = sample?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
    for line in lines { console.note("  │ " + line) }
  }

  private func speed(_ history: TrainingHistory) -> String {
    let rows = history.rows.suffix(Self.speedSteps)
    let mean = rows.reduce(0) { $0 + $1.tokensPerSecond } / Double(max(rows.count, 1))
    return String(format: "%.0f tok/s", mean)
  }

  /// Seconds, if all goes on as it did in this process, evaluations included.
  private func left(after step: Int, at now: ContinuousClock.Instant) -> Double? {
    guard step > before, step < steps else { return nil }
    return (now - begin) / .seconds(1) / Double(step - before) * Double(steps - step)
  }
}
