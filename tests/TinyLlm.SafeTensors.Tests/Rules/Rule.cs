namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>One way to break a rule: what to do, which error it must be, and what its message must hold (name, value, bound).</summary>
internal sealed record Rule(string Name, SafeTensorsError Error, Action Break, params string[] MessageParts);
