print("gpt2-bench")
