namespace TinyLlm.Cli.Push;

/// <summary>Is told how an upload goes: drawn as bars on a terminal, a line per file otherwise.</summary>
internal interface IPushProgress
{
    /// <summary>A file's first byte is about to be sent.</summary>
    void Begin(ModelFile file);

    /// <summary>The server has, or is being sent, the file's first <paramref name="position"/> bytes; smaller than before after a drop.</summary>
    void Report(ModelFile file, long position);

    /// <summary>The server has the whole file.</summary>
    void End(ModelFile file);

    /// <summary>Every file is there; the server validates them.</summary>
    void Committing();
}
