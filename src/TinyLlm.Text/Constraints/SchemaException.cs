namespace TinyLlm.Text;

/// <summary>A JSON schema that output can't be held to. The message says where (a JSON pointer), what and the remedy, and may be shown to the schema's author.</summary>
public sealed class SchemaException : Exception
{
    internal SchemaException(SchemaError error, string pointer, string reason)
        : base($"{pointer}: {reason}")
    {
        Error = error;
        Place = pointer;
    }

    /// <summary>Which member of the closed set.</summary>
    public SchemaError Error { get; }

    /// <summary>The place, as a JSON pointer in a URI fragment: "#/properties/age/minimum".</summary>
    public string Place { get; }
}
