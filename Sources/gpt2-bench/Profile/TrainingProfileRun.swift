import GPT2Engine
import GPT2Kernels
import GPT2Model
import Measurement
import Record
import Training

/// Runs steps of training under probes, each a second time without them, in an order that alternates.
struct TrainingProfileRun {
  let trainer: Trainer
  let windows: [Window]
  /// Wall time after which there is no further step; there is one at least.
  let seconds: Double
  let mostPasses: Int

  func perform() throws -> Profile {
    let cost = MarkCost.measured()
    // Memory is taken, the weights have been read.
    _ = try trainer.step(windows)
    let clock = SystemClock()
    let start = clock.now()
    var passes: [PassProfile] = []
    var without: [Double] = []
    repeat {
      let probedFirst = passes.count.isMultiple(of: 2)
      for isProbed in [probedFirst, !probedFirst] {
        let wall = try step(isProbed: isProbed, clock)
        guard isProbed else {
          without.append(wall)
          continue
        }
        passes.append(
          PassProfile(
            MarkLog.drain(), wallNanoseconds: wall, configuration: trainer.configuration,
            rows: trainer.options.context, firstPosition: 0, cost: cost,
            training: (trainer.options.batch, trainer.lossBlocks)))
      }
    } while Double(clock.now() - start) / 1e9 < seconds && passes.count < mostPasses
      && !Interruption.shared.isCancelled
    var profile = Profile(
      of: trainer.variant, threads: trainer.threads, stage: .training, tokens: trainer.options.context,
      passes: passes, without: without)
    profile.batch = trainer.options.batch
    return profile
  }

  /// - Returns: nanoseconds.
  private func step(isProbed: Bool, _ clock: SystemClock) throws -> Double {
    Probe.listen(isProbed ? { MarkLog.note($0, waits: Mark(rawValue: $0).beginsOperation) } : nil)
    defer { Probe.listen(nil) }
    let start = clock.now()
    Probe.enter(Mark(.between))
    _ = try trainer.step(windows)
    return Double(clock.now() - start)
  }
}
