namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>What the platform asks a pod over HTTP.</summary>
/// <param name="Kind">What for.</param>
/// <param name="Port">The container's port.</param>
/// <param name="Path">The route.</param>
/// <param name="Host">The Host header; null: the pod's address.</param>
internal sealed record PodProbe(string Kind, int Port, string Path, string? Host);
