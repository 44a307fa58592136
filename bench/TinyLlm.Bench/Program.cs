Console.Error.WriteLine("usage: TinyLlm.Bench BENCHMARK");
return 2;
