namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>One object's word for another.</summary>
internal sealed class ObjectReference
{
    public string? Group { get; set; }

    public string? Kind { get; set; }

    public string Name { get; set; } = "";

    public string? SectionName { get; set; }

    public int? Port { get; set; }
}
