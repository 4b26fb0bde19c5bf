import Foundation
import Measurement

/// How far a run is: on a terminal one bar for all of it, with the time left and the step's name; elsewhere a line a
/// step.
final class RunProgress {
  private let console: Console
  private var forecast = Forecast()
  private var left = TimeLeft()
  private var step = ""
  private var fraction = 0.0
  private var lastDrawn = -Double.infinity

  /// The bar's columns where the line has room.
  private static let barWidth = 24
  /// Between two drawings while a step runs: seldom enough to cost the measuring nothing.
  private static let seconds = 1.0

  init(_ console: Console) { self.console = console }

  private var now: Double { Double(SystemClock().now()) / 1e9 }

  /// What the run is going to do, as far as it is known before it begins.
  func plan(_ parts: [Forecast.Part]) { forecast = Forecast(parts) }

  /// - Parameters:
  ///   - part: nil for what no forecast knows of.
  ///   - name: of the step; nil for that of the step around it.
  ///   - isLine: whether it gets a line of its own where no line can be drawn over.
  func begin(_ part: Forecast.ID?, _ name: String?, isLine: Bool) {
    if let part { forecast.begin(part, at: now) }
    guard let name else { return }
    step = name
    if isLine { console.finished(name) }
    draw()
  }

  func end(_ part: Forecast.ID?) {
    guard part != nil else { return }
    forecast.end(at: now)
    expect(cause: overrun)
  }

  /// Called again and again while a step runs.
  func tick() { if now - lastDrawn >= Self.seconds { draw() } }

  /// A part that nobody knew of when the run began, and why there is one.
  func add(_ part: Forecast.Part, because cause: String) {
    forecast.add(part)
    expect(cause: cause)
  }

  func know(firstToken seconds: Double, of contestant: Int) {
    forecast.know(firstToken: seconds, of: contestant)
  }

  func promise(_ seconds: Double, for part: Forecast.ID) { forecast.promise(seconds, for: part) }
  func finish(_ part: Forecast.ID) { forecast.finish(part) }
  func finish(contestant: Int) { forecast.finish(contestant: contestant) }

  private var overrun: String { "\(step) takes longer" }

  private var isShown: Bool { console.showsProgress && console.drawsOver }

  private func expect(cause: String) {
    // Between samples nothing is computed that nobody sees.
    guard isShown else { return }
    let (passed, expected) = (forecast.elapsed(at: now), forecast.left(at: now))
    left.expect(expected, cause: cause, at: now)
    guard let seconds = left.seconds, passed + seconds > 0 else { return }
    fraction = max(fraction, passed / (passed + seconds))
  }

  private func draw() {
    guard isShown else { return }
    lastDrawn = now
    guard !forecast.isEmpty else { return console.drawProgress(step) }
    expect(cause: overrun)
    let width = min(Self.barWidth, console.progressWidth / 4)
    let done = Int((fraction * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: done) + String(repeating: "░", count: width - done)
    let percent = String(format: "%3.0f %%", fraction * 100)
    let time = left.seconds.map { "  \(Self.clock($0)) left" } ?? ""
    let rise = left.rise.map { " (+\(Self.clock($0.seconds)): \($0.cause))" } ?? ""
    let name = left.rise?.cause == overrun ? "" : "  \(step)"
    console.drawProgress("\(bar) \(percent)\(time)\(rise)\(name)")
  }

  static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return "\(whole / 60):" + String(format: "%02d", whole % 60)
  }
}
