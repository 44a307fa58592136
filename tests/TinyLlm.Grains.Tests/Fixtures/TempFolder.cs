namespace TinyLlm.Grains.Tests;

/// <summary>A folder of its own for one test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string FullPath { get; } = Directory.CreateTempSubdirectory("tinyllm-grains-").FullName;

    public void Dispose() => Directory.Delete(FullPath, recursive: true);
}
