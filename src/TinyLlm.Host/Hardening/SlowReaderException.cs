namespace TinyLlm.Host.Hardening;

/// <summary>A client took nothing of its answer for as long as it may, and its connection was closed.</summary>
internal sealed class SlowReaderException() : OperationCanceledException("The client takes nothing of its answer.");
