import Measurement
import Reporting

/// What the run met on its machine, and what that means for its figures.
extension Bench {
  /// - Parameter known: what the user has been told already.
  func judgeConditions(known: [Finding]) {
    record.conditions = Conditions(conditions.end())
    let findings = Validity(record).findings
    record.findings = findings
    let new = findings.filter { !known.contains($0) }.map(\.text)
    if !new.isEmpty { progress.remark(new.joined(separator: "; ")) }
  }
}

extension Conditions {
  init(_ observed: ObservedConditions) {
    self.init(
      stretches: observed.stretches.map(Stretch.init),
      calibration: observed.calibrations.map(CalibrationSample.init),
      coreToCore: observed.coreToCore.isEmpty ? nil : observed.coreToCore.map(CoreToCoreSample.init),
      pagesSwappedIn: observed.pagesSwappedIn.flatMap(Int.init(exactly:)),
      pagesSwappedOut: observed.pagesSwappedOut.flatMap(Int.init(exactly:)),
      groupThrottledPeriods: observed.groupThrottledPeriods.flatMap(Int.init(exactly:)),
      groupThrottledSeconds: observed.groupThrottledSeconds,
      coreThrottles: observed.coreThrottles.flatMap(Int.init(exactly:)),
      packageThrottles: observed.packageThrottles.flatMap(Int.init(exactly:)))
  }
}

extension Stretch {
  init(_ observed: ObservedConditions.Stretch) {
    self.init(
      startSeconds: observed.start, seconds: observed.seconds, cores: observed.cores,
      busySeconds: observed.busy, ownSeconds: observed.own, stolenSeconds: observed.stolen,
      totalSeconds: observed.total)
  }
}

extension CalibrationSample {
  init(_ observed: ObservedConditions.Calibration) {
    self.init(
      atSeconds: observed.at, nanoseconds: Int(clamping: observed.nanoseconds),
      frequencyMHz: observed.frequencyMHz)
  }
}

extension CoreToCoreSample {
  init(_ observed: ObservedConditions.CoreToCore) {
    self.init(atSeconds: observed.at, nanoseconds: observed.nanoseconds)
  }
}
