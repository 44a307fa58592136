namespace TinyLlm.Storage;

/// <summary>What a model's file is for.</summary>
public enum ModelFileKind
{
    /// <summary>config.json or adapter_config.json.</summary>
    Configuration,

    /// <summary>Any *.safetensors.</summary>
    Weights,

    /// <summary>model.safetensors.index.json.</summary>
    WeightsIndex,

    /// <summary>tokenizer.json, tokenizer.model and the files beside them.</summary>
    Tokenizer,

    /// <summary>chat_template.jinja.</summary>
    ChatTemplate,

    /// <summary>README.md.</summary>
    Readme,

    /// <summary>model.sig.</summary>
    Signature,
}
