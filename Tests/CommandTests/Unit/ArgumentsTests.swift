import GPT2Kernels
import TestSupport
import Testing

@testable import gpt2_bench

struct ArgumentsTests {
  private static let description = CommandDescription(
    name: "demo", summary: "takes options", operands: "[TEXT]", operandCount: 0...2,
    options: [
      .variants, .variant, .threadList, .ids, .seed,
      Option("-r", "--repetitions", value: "N", help: "how often"),
      Option("--rate", value: "X", help: "a number"), .kv,
      Option("--format", value: "F", help: "a choice"), Option("--last", help: "a flag"),
    ])

  private func parse(_ words: String...) throws -> Arguments {
    try Arguments(words, of: Self.description)
  }

  private func message(_ body: () throws -> some Any) throws -> String {
    try #require(throws: UsageError.self) { _ = try body() }.description
  }

  @Test func unknownOptionNamesItselfAndTheKnownOnes() throws {
    let text = try message { try parse("--nothing") }
    #expect(
      text.hasPrefix(
        "unknown option '--nothing', expected one of --variants, --variant, -t, --threads, --ids, --seed, -r, "
      ))
    #expect(text.hasSuffix("--last, --quiet, --no-progress, --verbose, --config, --no-color, --help, -h"))
    #expect(try message { try parse("-x") }.hasPrefix("unknown option '-x', expected one of "))
    try expectEqual(message { try parse("-r2") }, "unknown option '-r2', did you mean '-r'?")
    try expectEqual(message { try parse("--lst=3") }, "unknown option '--lst', did you mean '--last'?")
  }

  @Test func valuesStandBehindOrInTheWord() throws {
    try expectEqual(parse("--format", "md").string("--format"), "md")
    try expectEqual(parse("--format=md").string("--format"), "md")
    try expectEqual(parse("--format=a=b").string("--format"), "a=b")
    try expectEqual(parse("--format=").string("--format"), "")
    try expectNil(parse().string("--format"))
    try expectEqual(parse("--repetitions", "3").integer("-r", in: 1...9), 3)
    #expect(try parse("--last").flag("--last"))
    #expect(try !parse().flag("--last"))
  }

  @Test func anotherValueIsSetWhereTheOptionStands() throws {
    let short = try parse("-r", "3", "--last").setting("-r", to: "4")
    expectEqual(short.command, ["gpt2-bench", "demo", "-r", "4", "--last"])
    expectEqual(short.string("-r"), "4")
    let long = try parse("--repetitions=3", "a").setting("-r", to: "4")
    expectEqual(long.command, ["gpt2-bench", "demo", "--repetitions=4", "a"])
    expectEqual(long.operands, ["a"])
    let new = try parse("--last").setting("-r", to: "4")
    expectEqual(new.command, ["gpt2-bench", "demo", "--last", "-r", "4"])
    expectEqual(new.string("-r"), "4")
  }

  /// The commas of a shape are its own, and so are those of a path that is there.
  @Test func modelsAreAListWithoutRepeats() {
    expectEqual(ModelSeries.models(in: "a,b/c,a"), ["a", "b/c"])
    expectEqual(ModelSeries.models(in: "synthetic:1,2,8,20,8"), ["synthetic:1,2,8,20,8"])
    let shapes = "synthetic:tiny,synthetic:1,2,8,20,8,synthetic:gpt2"
    expectEqual(ModelSeries.models(in: shapes), ["synthetic:tiny", "synthetic:1,2,8,20,8", "synthetic:gpt2"])
    expectEqual(ModelSeries.models(in: "a,"), ["a", ""])
  }

  @Test func wordsBehindTwoDashesAreOperands() throws {
    try expectEqual(parse("--last", "--", "--last", "-x").operands, ["--last", "-x"])
    try expectEqual(parse("a", "-").operands, ["a", "-"])
    try expectEqual(parse("").operands, [""])
  }

  @Test func missingRepeatedAndSuperfluousValues() throws {
    try expectEqual(message { try parse("--format") }, "--format: found nothing after it, expected F")
    try expectEqual(
      message { try parse("--format", "--last") },
      "--format: found '--last', expected F before another option")
    try expectEqual(parse("--format=--last").string("--format"), "--last")
    try expectEqual(message { try parse("--last=1") }, "--last: found '1', expected no value")
    try expectEqual(
      message { try parse("-r", "1", "--repetitions", "2") },
      "--repetitions: given twice, expected once")
  }

  @Test func operandsAreCounted() throws {
    try expectEqual(
      message { try parse("a", "b", "c") },
      "unexpected operand 'c', usage: gpt2-bench demo [TEXT] [options]")
    let two = CommandDescription(name: "two", summary: "", operands: "A B", operandCount: 2...2, options: [])
    try expectEqual(
      message { try Arguments(["a"], of: two) },
      "an operand is missing, usage: gpt2-bench two A B [options]")
    #expect(try Arguments(["-h"], of: two).flag("--help"))
  }

  @Test func integersAreHeldAgainstTheirRange() throws {
    for text in ["0", "10", "-1", "x", "", "1.5", "99999999999999999999", "1e1"] {
      try expectEqual(
        message { try parse("-r", text).integer("-r", in: 1...9) },
        "-r: found '\(text)', expected a whole number from 1 to 9")
    }
    try expectEqual(
      message { try parse("-r", "0").integer("-r", in: 1...Int.max) },
      "-r: found '0', expected a whole number of at least 1")
    try expectEqual(
      message { try parse("--repetitions", "0").integer("-r", in: 1...9) },
      "--repetitions: found '0', expected a whole number from 1 to 9")
    try expectEqual(parse("-r", "9").integer("-r", in: 1...9), 9)
  }

  @Test func listsKeepTheirOrderAndDropRepeats() throws {
    try expectEqual(parse("-t", "4,1,4,2").integers("-t", in: 1...8), [4, 1, 2])
    try expectEqual(parse("--threads=2").integers("-t", in: 1...8), [2])
    try expectNil(parse().integers("-t", in: 1...8))
    try expectEqual(
      message { try parse("-t", "1,,2").integers("-t", in: 1...8) },
      "-t: found '', expected a whole number from 1 to 8")
    try expectEqual(
      message { try parse("-t", "1,9").integers("-t", in: 1...8) },
      "-t: found '9', expected a whole number from 1 to 8")
    try expectEqual(
      message { try parse("--threads", "0").integers("-t", in: 1...8) },
      "--threads: found '0', expected a whole number from 1 to 8")
  }

  @Test func numbersAndSeeds() throws {
    try expectEqual(parse("--rate", "-0.5").number("--rate"), -0.5)
    for text in ["nan", "inf", "x", ""] {
      try expectEqual(
        message { try parse("--rate", text).number("--rate") },
        "--rate: found '\(text)', expected a number")
    }
    try expectEqual(parse("--seed", "18446744073709551615").unsigned("--seed"), .max)
    try expectEqual(
      message { try parse("--seed", "-1").unsigned("--seed") },
      "--seed: found '-1', expected a whole number from 0 to 18446744073709551615")
  }

  @Test func anErrorShowsWhatWasTyped() throws {
    for text in ["-1", "2.50", "1e-3"] {
      let error = try parse("--rate", text).refusal(of: "--rate", standard: "1", expected: "less")
      expectEqual(error.description, "--rate: found '\(text)', expected less")
    }
    let long = try parse("--repetitions", "07").refusal(of: "-r", expected: "less")
    expectEqual(long.description, "--repetitions: found '07', expected less")
    let missing = try parse().refusal(of: "--rate", standard: "0.5", expected: "less")
    expectEqual(missing.description, "--rate: found '0.5', expected less")
  }

  @Test func choices() throws {
    try expectEqual(parse("--format", "csv").choice("--format", of: ["md", "csv"]), "csv")
    try expectEqual(
      message { try parse("--format", "xml").choice("--format", of: ["md", "csv"]) },
      "--format: found 'xml', expected one of md, csv")
    try expectEqual(
      message { try parse("--format", "cvs").choice("--format", of: ["md", "csv"]) },
      "--format: found 'cvs', expected one of md, csv; did you mean 'csv'?")
  }

  @Test func idsAreSeparatedBySpaceOrComma() throws {
    try expectEqual(parse("--ids", "1 2,3\t4\n 5").ids("--ids"), [1, 2, 3, 4, 5])
    try expectEqual(parse("--ids", "").ids("--ids"), [])
    try expectNil(parse().ids("--ids"))
    for text in ["-1", "x", "1.0", "99999999999999999999"] {
      try expectEqual(
        message { try parse("--ids", "1 \(text)").ids("--ids") },
        "--ids: found '\(text)', expected token ids such as \"1 2 3\"")
    }
  }

  @Test func theCacheOfKVIsInTheVariantsName() throws {
    let narrow = Variant.withNarrowCache.map(\.name)
    try expectEqual(parse("--kv", "bf16").variant().name, "packed+kv-bf16")
    try expectEqual(parse("--kv", "f32").variant().name, "packed")
    try expectEqual(parse("--variant", "int8+kv-bf16").variant().cache, .bf16)
    try expectEqual(parse("--variant", "int8+kv-bf16", "--kv", "bf16").variant().name, "int8+kv-bf16")
    // Of all variants those that can.
    try expectEqual(parse("--kv", "bf16").variants().map(\.name), narrow)
    try expectEqual(parse("--kv", "bf16", "--variants", "all").variants().map(\.name), narrow)
    try expectEqual(parse("--kv", "f32").variants().map(\.name), parse().variants().map(\.name))
    try expectEqual(
      parse("--variants", "int8,packed+kv-bf16,packed").variants().map(\.name),
      ["packed", "packed+kv-bf16", "int8"])
    try expectEqual(
      parse("--variants", "packed+kv-bf16,packed", "--kv", "bf16").variants().map(\.name),
      ["packed+kv-bf16"])
    let only = "only packed, bf16, int8, int4 take both"
    try expectEqual(
      message { try parse("--variants", "packed,kv-cache", "--kv", "bf16").variants() },
      "--kv: found 'bf16', expected f32 with kv-cache: \(only)")
    try expectEqual(
      message { try parse("--variant", "packed+kv-bf16", "--kv", "f32").variant() },
      "--kv: found 'f32', expected bf16 with packed+kv-bf16: \(only)")
    #expect(
      try message { try parse("--kv", "int8").variant() }
        .hasPrefix("--kv: found 'int8', expected one of f32, bf16"))
  }

  @Test func variantsComeInTheLaddersOrder() throws {
    try expectEqual(parse("--variants", "simd8,naive,simd8").variants().map(\.name), ["naive", "simd8"])
    let all = try parse().variants().map(\.name)
    expectEqual(all.first, "naive")
    try expectEqual(parse("--variants", "all").variants().map(\.name), all)
    try expectEqual(parse().variant().name, "packed")
    let known = Variant.all.map(\.name) + Variant.lookedUp.map(\.name)
    let expected = "expected one of \(known.joined(separator: ", "))"
    try expectEqual(
      message { try parse("--variants", "naive,foo").variants() },
      "--variants: found 'foo', \(expected)")
    try expectEqual(message { try parse("--variants", "").variants() }, "--variants: found '', \(expected)")
    try expectEqual(
      message { try parse("--variant", "foo").variant() }, "--variant: found 'foo', \(expected)")
  }
}
