import Testing

@testable import Reporting

@Suite struct ProfileTextTests {
  private func record(_ profiles: [Profile]) -> Record {
    var record = Fixture.profiled()
    record.profiles = profiles
    return record
  }

  @Test func print1() {
    print(ProfileText(Fixture.profiled(), colour: false).text)
    print(ProfileText(record([Fixture.profile("kv-cache")]), colour: true).text)
    print(ProfileText(record([Fixture.profile("kv-cache")]), colour: false, width: 60).text)
    print(ProfileText(record([Fixture.profile("deep", layers: 40)]), colour: false, width: 100).text)
    print(MarkdownReport(Fixture.profiled()).text)
    print(ProfileCSV(Fixture.profiled()).text)
    let a = Fixture.profile("threaded", .decode, Fixture.recomputedToken)
    let b = Fixture.profile("kv-cache")
    let c = Ceiling(threads: 2, fmaGFLOPS: 100, dramGBPerSecond: 10)
    for e in [
      try! Explanation(from: a, named: "threaded", to: b, named: "kv-cache", ceiling: c),
      try! Explanation(from: b, named: "kv-cache", to: a, named: "threaded", ceiling: nil),
      try! Explanation(from: b, named: "kv-cache", to: b, named: "kv-cache", ceiling: nil),
    ] {
      print(e.text(colour: false))
      print(e.markdown)
    }
    print(
      try! ExplanationFiles.json([
        try! Explanation(from: a, named: "threaded", to: b, named: "kv-cache", ceiling: c)
      ]))
    print(
      ExplanationFiles.csv([
        try! Explanation(from: a, named: "threaded", to: b, named: "kv-cache", ceiling: c)
      ]))
  }
}
