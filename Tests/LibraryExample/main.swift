import GPT2Engine

// `synthetic:gpt2`, or the path of any file or folder that `--model` takes. Tasks may share it.
let model = try await LanguageModel("weights/tiny", variant: .preferred)

// A batch: decoded together, each weight read once a step for all of them.
let completions = try await model.generate(
  prompts: ["ROMEO:", "To be, or not to be"],
  parameters: GenerationParameters(maximumNewTokens: 24))
for completion in completions { print(completion.text, completion.ending) }

// A stream, drawn with a seed. Breaking off, or cancelling the task, ends the generation.
let parameters = GenerationParameters(
  sampling: try SamplingParameters(temperature: 0.8, topK: 40, seed: 1), maximumNewTokens: 100)
for try await step in try model.stream("JULIET:", parameters: parameters) {
  print(step.text, terminator: "")
  if step.text.contains(".") { break }
}
print()

// The logits after each token of a text.
let logits = try await model.logits(for: model.encode("What light"))
print(logits.positions, logits.vocabulary, logits[0].max()!)
