namespace TinyLlm.Engine;

/// <summary>What a backend computes on.</summary>
/// <param name="Kind">"cpu" or "cuda".</param>
/// <param name="Name">For people: the processor's or card's own name.</param>
/// <param name="BudgetBytes">How much of its memory weights and caches may take together.</param>
public sealed record EngineDeviceInfo(string Kind, string Name, long BudgetBytes);
