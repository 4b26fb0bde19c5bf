import Foundation
import Measurement

/// Shows how far a run is: one line drawn over on a terminal, otherwise a plain line for each thing done.
struct ProgressDisplay {
  let console: Console

  /// Something to know before minutes are spent.
  func remark(_ text: String) { console.note("note: \(text)") }

  /// A step before the rounds.
  func step(_ text: String) {
    guard console.showsProgress else { return }
    if console.drawsOver { console.drawProgress(text) } else { console.note(text) }
  }

  /// - Parameter label: what is about to run.
  func draw(_ progress: RoundProgress, label: String) {
    guard console.showsProgress, console.drawsOver else { return }
    let width = 30
    let done = Int((progress.fraction * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: done) + String(repeating: "░", count: width - done)
    let percent = String(format: "%3.0f %%", progress.fraction * 100)
    let left = progress.remainingSeconds.map { " \(Self.clock($0)) left" } ?? ""
    console.drawProgress("\(bar) \(percent)\(left)  \(label)")
  }

  /// A finished cell.
  func finished(_ text: String) {
    guard console.showsProgress, !console.drawsOver else { return }
    console.note(text)
  }

  func end() { console.endProgressLine() }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return "\(whole / 60):" + String(format: "%02d", whole % 60)
  }
}
