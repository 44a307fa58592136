namespace TinyLlm.Grains.Residency;

/// <summary>What an accelerator holds and does at one moment.</summary>
/// <param name="Models">Resident models.</param>
/// <param name="Holds">Requests that hold one.</param>
/// <param name="Running">Sequences in the running batch.</param>
/// <param name="Waiting">Sequences that wait for a place.</param>
/// <param name="ReservedBytes">Bytes of weights and caches.</param>
/// <param name="BudgetBytes">Their bound.</param>
public sealed record ResidencySnapshot(int Models, int Holds, int Running, int Waiting, long ReservedBytes, long BudgetBytes);
