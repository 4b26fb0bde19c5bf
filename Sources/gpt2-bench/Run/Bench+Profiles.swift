/// Where the time of each variant goes, asked when everything has been measured: probes have no say in a figure.
extension Bench {
  /// A contestant that cannot tell is left out; its figures stand.
  func measureProfiles() {
    guard let request = plan.profile else { return }
    for contestant in contestants {
      guard let contestant, case .variant = contestant.plan.kind, !isCancelled else { continue }
      progress.step("profiling: \(contestant.plan.name)")
      do {
        record.profiles = (record.profiles ?? []) + (try contestant.profile(request).profiles)
      } catch {
        if !isCancelled { progress.remark("no profile: \(error)") }
      }
    }
  }
}
