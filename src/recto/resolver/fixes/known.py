"""Names of packages that documents ask for, as candidates for a misspelt name.

A name that is near to a well-known one may belong to somebody who waits for the mistake, so what is offered comes from
here or from the base, and never from what the index happens to have. Each was looked up in a list of the index's
packages of November 2026; whether it can be installed is found out before it is offered.
"""

from __future__ import annotations

_NAMES = """
    accelerate adjusttext aiohttp albumentations alembic altair anndata anthropic arch arrow arviz ase astropy
    astroquery attrs azure-storage-blob bambi basemap bcrypt beautifulsoup4 biopython black blackjax bokeh boto3
    botocore bottleneck cachetools cartopy catboost category-encoders cattrs causalml certifi cffi cftime chromadb
    cirq click cloudpickle cmdstanpy cmocean cobra colorama colorcet contextily control convertdate corner coverage
    cryptography cupy-cuda12x cvxopt cvxpy cython darts dash dask datasets datasette datashader dateparser deap
    decorator deprecated dgl dill distributed django docutils doubleml dowhy duckdb econml einops eli5 emcee
    empiricaldist factor-analyzer faiss-cpu faker fastapi feature-engine feedparser ffmpeg-python filelock filterpy
    fiona flake8 flask flax folium formulaic fpdf2 fredapi fsspec ftfy funcy fuzzywuzzy gcsfs gensim geopandas geopy
    geoviews google-api-python-client google-cloud-bigquery google-cloud-storage gradio graphviz great-expectations
    great-tables gspread gudhi gunicorn gurobipy gymnasium h3 h5netcdf h5py hdbscan highspy holidays holoviews
    html5lib httpx huggingface-hub hvplot hyperopt hypothesis ibis-framework igraph imageio imbalanced-learn
    ipykernel ipyleaflet ipympl ipython ipywidgets isort itables jax jaxlib jieba jinja2 joblib jupyter
    jupyter-client jupyter-core jupyterlab kaggle kagglehub keras keras-tuner kornia langchain langchain-community
    langchain-core langdetect lark leidenalg lets-plot levenshtein librosa lifelines lightgbm lightning lime
    linearmodels llama-index llvmlite lmfit loguru lxml lxml-html-clean mapclassify markdown marshmallow matplotlib
    mdanalysis mdtraj mesa metpy mido mimesis missingno mkdocs mkdocs-material mlflow mlforecast mlxtend mne modin
    more-itertools moviepy msgpack msgspec music21 mypy mysql-connector-python mysqlclient nbclient nbconvert
    nbformat netcdf4 networkx neuralprophet newspaper3k nglview nibabel nilearn nltk notebook nox numba numexpr
    numpy numpyro odfpy onnx onnxruntime openai openai-whisper opencv-contrib-python opencv-contrib-python-headless
    opencv-python opencv-python-headless openpyxl optax optuna orjson ortools osmnx packaging palettable pandas
    pandas-datareader pandera panel papermill paramiko passlib patsy pdfminer-six pdfplumber peewee peft pendulum
    pennylane periodictable pettingzoo photutils pillow pingouin pint platformdirs playwright plotly plotnine
    pmdarima polars praw pre-commit prophet psutil psycopg psycopg2-binary pulp py3dmol pyarrow pybind11
    pycryptodome pydantic pydantic-settings pydeck pydicom pydot pydub pyfixest pygad pygal pygame pygments
    pygwalker pyjanitor pyjwt pylint pymatgen pymc pymongo pymupdf pymysql pynndescent pyodbc pyogrio pyomo
    pyparsing pypdf pypdf2 pyproj pyreadr pyreadstat pyro-ppl pysam pyscipopt pyserial pystan pytensor pytest
    pytest-cov python-dateutil python-docx python-dotenv python-igraph python-louvain python-pptx pytorch-lightning
    pytz pyusb pyvis pyvisa pyxlsb pyyaml pyzmq qdrant-client qiskit quantecon quantlib quantstats qutip rapidfuzz
    rasterio ray rdkit redis regex reportlab requests requests-cache rich rioxarray ripser rpy2 ruamel-yaml ruff
    s3fs scanpy schemdraw scikit-bio scikit-image scikit-learn scikit-posthocs scikit-survival scipy scrapy
    scvi-tools seaborn segmentation-models-pytorch selenium semopy sentence-transformers sentencepiece setuptools
    shap shapely shiny simpleitk simplejson simpy sktime sortedcontainers soundfile spacy sphinx sqlalchemy
    sqlite-utils sqlmodel squarify stable-baselines3 starlette statsforecast statsmodels streamlit sweetviz sympy
    tables tabulate tenacity tensorboard tensorflow tensorflow-datasets tensorflow-hub tensorflow-probability
    termcolor textblob thefuzz tiktoken timm tokenizers toml tomli tomlkit toolz torch torch-geometric torchaudio
    torchmetrics torchvision tox tqdm trafilatura traitlets transformers tsfresh tslearn tweepy twine typer tzdata
    ujson ultralytics umap-learn uncertainties unidecode urllib3 uvicorn vadersentiment vectorbt virtualenv wandb
    watchdog wbgapi weasyprint werkzeug wikipedia wordcloud wrapt xarray xgboost xlrd xlsxwriter xlwt
    ydata-profiling yellowbrick yfinance zarr
"""

# By normalised name.
KNOWN = frozenset(_NAMES.split())
